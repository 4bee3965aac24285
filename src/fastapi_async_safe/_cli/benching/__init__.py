"""`bench`: the same requests to several variants of one application, in turns."""
