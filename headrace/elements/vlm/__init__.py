"""Parts of the face that asks vision-language models."""
