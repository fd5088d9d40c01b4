"""Where people are told beside the chat: one file per way. A new way is a new file with a `build` function, and nothing else is edited."""
