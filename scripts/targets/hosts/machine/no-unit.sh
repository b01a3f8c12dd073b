# Has the account's systemd forget a job. usage: NAME

unit="troupe-$1.service"
file="${XDG_CONFIG_HOME:-$HOME/.config}/systemd/user/$unit"
[ -e "$file" ] || exit 0
systemctl --user disable "$unit"
rm -f "$file"
systemctl --user daemon-reload
