"""Registries of the OCI distribution API: their token flows, what they say of an image, which tags they have, who signed what."""
