#include <stddef.h>
#include <stdint.h>

void adler_fast_write(uint32_t *state, const uint8_t *bytes, size_t length) {
    uint32_t a = state[0], b = state[1];
    while (length > 0) {
        size_t n = length < 5552 ? length : 5552;
        length -= n;
        for (; n > 0; n--) {
            a += *bytes++;
            b += a;
        }
        a %= 65521;
        b %= 65521;
    }
    state[0] = a;
    state[1] = b;
}
