# A Windows with no screen, for the shell that sources this with BUILD set (a folder of builds): made when there is none, which takes
# a while, and ours alone until the shell ends. `wine EXE ARGUMENT…` runs a program in it; WINE64 is for one whose process id is wanted.
# shellcheck shell=bash
WINE64=/usr/lib/wine/wine64
[[ -x $WINE64 ]] || { echo 'SKIPPED: needs wine64'; exit 77; }
export WINEPREFIX=${BUILD:?}/wine WINEDEBUG=-all WINEDLLOVERRIDES='mscoree,mshtml='
unset DISPLAY WAYLAND_DISPLAY
exec {wine_alone}>"$BUILD/wine.lock"
flock -w 100 "$wine_alone"
end_wine() {
  local sockets
  /usr/lib/wine/wineserver64 -k 2>/dev/null || true
  /usr/lib/wine/wineserver64 -w
  # Debian's wine keeps the name of its folder of sockets here, and leaves the folder.
  read -r sockets <"$WINEPREFIX/wineserver" || true
  [[ ! $sockets =~ ^wine-[A-Za-z0-9]{6}$ ]] || rm -rf "/tmp/$sockets"
}
wine() { "$WINE64" "$@" {wine_alone}>&-; }  # What goes on in the background there would keep the lock.
# One whose making was broken off starts programs, and lacks what they need.
[[ -f $WINEPREFIX/made ]] || rm -rf "$WINEPREFIX"
mkdir -p "$WINEPREFIX"
trap end_wine EXIT
if [[ ! -f $WINEPREFIX/made ]]; then
  wine wineboot --init >/dev/null 2>&1 || { echo "wine could make no Windows in $WINEPREFIX" >&2; exit 1; }  # All else it says is nobody's business.
  touch "$WINEPREFIX/made"
fi
