"""What is read from the bytes of a request, held against Starlette, by a fuzzer too."""
