"""A server that speaks the Open Inference Protocol: addresses, both transports, tensors, labels."""
