"""Notices by e-mail: plain text and a little HTML, over SMTP with STARTTLS or TLS."""

from __future__ import annotations

import asyncio
import html
import smtplib
import ssl
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from urllib.parse import unquote, urlsplit

from groundswell.errors import UpstreamError
from groundswell.notify.words import Words, words_of
from groundswell.store.metadata.notify import Delivery

TIMEOUT_S = 15.0


class Mailer:
    """Sends through the server of SMTP_URL; without one, nothing can be sent."""

    def __init__(self, smtp_url: str, sender: str, base_url: str) -> None:
        self._smtp_url = smtp_url
        self._sender = sender
        self._base_url = base_url

    async def send(self, delivery: Delivery) -> str:
        """Send one notice. Raises UpstreamError."""
        if not self._smtp_url:
            raise UpstreamError("There is no mail server: SMTP_URL is not set")

        words = words_of(delivery.kind, delivery.body, self._base_url)
        message = message_of(words, self._sender, delivery)
        return await asyncio.to_thread(self._send, message)

    def _send(self, message: EmailMessage) -> str:
        parts = urlsplit(self._smtp_url)
        host, is_tls = parts.hostname or "localhost", parts.scheme == "smtps"
        port = parts.port or (465 if is_tls else 587)
        context = ssl.create_default_context()
        try:
            with _connect(host, port, is_tls, context) as server:
                if not is_tls and server.has_extn("starttls"):
                    server.starttls(context=context)
                    server.ehlo()
                if parts.username:
                    server.login(unquote(parts.username), unquote(parts.password or ""))
                server.send_message(message)
        except smtplib.SMTPRecipientsRefused as error:
            said = next(iter(error.recipients.values()))
            raise UpstreamError(_told(*said), retryable=400 <= said[0] < 500) from error
        except smtplib.SMTPResponseException as error:
            told = _told(error.smtp_code, error.smtp_error)
            raise UpstreamError(told, retryable=400 <= error.smtp_code < 500) from error
        except (smtplib.SMTPException, OSError) as error:
            raise UpstreamError(f"The mail server failed: {error}", retryable=True) from error

        return f"accepted by {host}"


def message_of(words: Words, sender: str, delivery: Delivery) -> EmailMessage:
    """Write the message. Notices of one incident make one thread in a mailbox."""
    message = EmailMessage()
    message["From"], message["To"] = sender, delivery.target
    message["Subject"] = words.subject
    message["Date"] = format_datetime(delivery.created_at)
    domain = sender.rpartition("@")[2].strip(" >") or "localhost"
    message["Message-ID"] = make_msgid(f"notice-{delivery.id}", domain)
    thread = delivery.subject.rpartition(":")[0].replace(":", "-")
    message["References"] = f"<{thread}@{domain}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content("\n".join((*words.lines, "", words.url, "")))
    lines = "".join(f"<p>{html.escape(line)}</p>" for line in words.lines)
    link = f'<p><a href="{html.escape(words.url, quote=True)}">Open</a></p>'
    title = f"<h2>{html.escape(words.subject)}</h2>"
    message.add_alternative(f"<html><body>{title}{lines}{link}</body></html>", subtype="html")
    return message


def _connect(host: str, port: int, is_tls: bool, context: ssl.SSLContext) -> smtplib.SMTP:
    if is_tls:
        return smtplib.SMTP_SSL(host, port, timeout=TIMEOUT_S, context=context)

    server = smtplib.SMTP(host, port, timeout=TIMEOUT_S)
    server.ehlo()
    return server


def _told(code: int, said: bytes | str) -> str:
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    return f"The mail server said {code} {text}"
