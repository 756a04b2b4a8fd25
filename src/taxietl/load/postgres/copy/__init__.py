"""Arrow batches by binary COPY: `columns` and `encode` make the bytes, `stream` sends them."""
