"""The JSON shapes of the REST API and of the webhooks: one file per noun, pure functions from records to objects."""
