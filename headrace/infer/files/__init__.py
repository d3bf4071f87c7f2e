"""Models that are files of weights: opened, put together from engine, decoder and labels, described."""
