"""What a model looks at: frames, regions, tiles, objects; when; and how the parts become one again."""
