"""What whoever runs on an NVIDIA GPU needs: memory and recorded work (`cuda`), TensorRT's engines and their cache
(`engines`), the graphs that they are made of (`typed`), an engine at work (`network`)."""
