"""``headrace run``: one pipeline made from options, played and reported."""
