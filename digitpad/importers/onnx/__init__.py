"""Reader of ONNX models: protobuf wire format, graph, and construction of a network."""
