"""ONE FILE PER FORMAT: each defines `FORMAT`; the shelf finds it."""
