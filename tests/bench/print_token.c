/* print_token: a program that does nothing but print as many bytes as a token has; what
 * `mailbearer token` is measured against. It is dynamically linked, with the same flags.
 */
#include <stdio.h>

#define SIZE 2500

int
main(void)
{
    char token[SIZE + 1];
    int i;

    for (i = 0; i < SIZE; i++)
        token[i] = (char)('a' + i % 26);
    token[SIZE] = '\0';
    return puts(token) == EOF;
}
