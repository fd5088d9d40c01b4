"""What the web server counts, for `/metrics`. Labels are bounded: events that are known, outcomes, places of secrets."""

from prometheus_client import Counter, Gauge, Histogram

DELIVERIES = Counter("promotion_bot_deliveries_total", "Webhooks by event and what became of them.", ["event", "outcome"])
REJECTED = Counter("promotion_bot_webhook_rejected_total", "Webhooks that were refused, by reason.", ["reason"])
SECRETS = Counter("promotion_bot_webhook_secret_used_total", "Accepted webhooks by the place of the secret that signed them.", ["place"])
ANSWER_SECONDS = Histogram(
    "promotion_bot_webhook_answer_seconds",
    "From the request's last byte to the answer.",
    buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 5),
)
INBOX = Gauge("promotion_bot_inbox_deliveries", "Deliveries in the inbox by state.", ["state"])
INBOX_LAG = Gauge("promotion_bot_inbox_lag_seconds", "Age of the oldest delivery that is not done.")
REPLICAS = Gauge("promotion_bot_replicas", "Replicas: alive, silent (the heart stands still), dead (others take its work over).", ["state"])
STAGE_FAILURES = Gauge("promotion_bot_stage_failures", "Runs in a row that failed.", ["stage"])
STAGE_LAST_RUN = Gauge("promotion_bot_stage_last_run_timestamp_seconds", "When the stage was last looked at.", ["stage"])
OUTBOX = Gauge("promotion_bot_messages", "Messages to people by state.", ["state"])
LOOP_LAG = Gauge("promotion_bot_event_loop_lag_seconds", "How late the server's event loop ran at most in the last minute.")
