// A program that a user would write with the real @sentry/node.
import * as Sentry from "@sentry/node";

const [dsn, lifecycle] = process.argv.slice(2);
Sentry.init({
  dsn,
  tracesSampleRate: 1.0,
  release: "shop@2.0.0",
  environment: "production",
  ...(lifecycle ? { traceLifecycle: lifecycle } : {}),
});
Sentry.setUser({ id: "7" });
await Sentry.startSpan({ name: "POST /checkout", op: "http.server" }, async () => {
  await Sentry.startSpan({ name: "SELECT 1", op: "db" }, () => new Promise((r) => setTimeout(r, 30)));
  Sentry.captureException(new TypeError("card is undefined"));
});
await Sentry.flush(5000);
process.exit(0);
