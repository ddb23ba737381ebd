// A page that a user would write with the real @sentry/browser; the DSN is in the address.
import * as Sentry from "@sentry/browser";

Sentry.init({
  dsn: new URLSearchParams(location.search).get("dsn"),
  release: "site@3.0.0",
  environment: "production",
  tracesSampleRate: 1.0,
  traceLifecycle: "static",
});
Sentry.startSpan({ name: "load cart", op: "ui.load" }, () => {
  Sentry.captureException(new RangeError("cart is empty"));
});
Sentry.flush(5000).then((done) => {
  document.title = done ? "sent" : "not sent";
});
