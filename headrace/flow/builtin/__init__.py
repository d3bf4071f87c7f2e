"""Objects that pipelines attach by name, one file each: its function ``create(name)`` makes one (contract §5)."""
