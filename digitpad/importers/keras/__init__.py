"""Networks of Keras, of all versions: files, configurations and the layers that they describe."""
