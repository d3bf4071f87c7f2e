"""One file per broker; each has `build(conn_str, config) -> Broker`."""
