/* A command that costs as little as a command can: it appends one byte to the file of its first argument. */
#include <fcntl.h>
#include <unistd.h>

int main(int argc, char **argv) {
  int file = argc > 1 ? open(argv[1], O_WRONLY | O_APPEND | O_CREAT, 0600) : -1;
  return file >= 0 && write(file, ".", 1) == 1 ? 0 : 1;
}
