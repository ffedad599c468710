// The smallest program: it agrees.
unsigned long long entrypoint(const unsigned char *input) { return input ? 0 : 1; }
