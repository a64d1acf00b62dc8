# The participant's program: knows one of the answers. An attack beside it goes first, in every stage.
if [ -f attack.py ]; then
  python3 attack.py "$1"
  [ "$1" != build ] || echo "attack.py has run"
fi
case $1 in
  build) mkdir -p answer; [ -e answer/value ] || [ -L answer/value ] || echo guess > answer/value 2>/dev/null; exit 0 ;;
  test) read -r question; [ "$question" != name ] || echo vault ;;
  guest) echo no idea ;;
esac
