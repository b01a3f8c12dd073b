# Has the account's systemd start a job when the host starts. usage: JOB NAME (JOB: its folder, absolute)

job=$1 name=$2
folder="${XDG_CONFIG_HOME:-$HOME/.config}/systemd/user"
unit="troupe-$name.service"

# A path in a unit: percent signs and dollar signs are read as variables, and quotes stand around it.
escaped=$(printf '%s' "$job/boot.sh" | sed 's/[\\"]/\\&/g; s/%/%%/g; s/\$/$$/g')

mkdir -p "$folder" || exit
cat >"$folder/$unit.new" <<UNIT || exit
[Unit]
Description=Troupe job $name

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh "$escaped"
TimeoutStopSec=15

[Install]
WantedBy=default.target
UNIT
if cmp -s "$folder/$unit.new" "$folder/$unit"; then
  rm -f "$folder/$unit.new"
  exit
fi
mv -f "$folder/$unit.new" "$folder/$unit"
systemctl --user daemon-reload && systemctl --user enable "$unit"
