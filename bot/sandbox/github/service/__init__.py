"""What may happen on the forge and what follows from it: one file per noun, shared by REST, GraphQL and acting people.

Every function expects the world's lock to be held, raises `ApiError` for what GitHub would refuse, and emits the events
that GitHub would send.
"""
