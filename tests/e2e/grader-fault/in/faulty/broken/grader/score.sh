printf 'no key at \033[2J/grader/answers\n' >&2
echo 'looked for answers'
exit 3
