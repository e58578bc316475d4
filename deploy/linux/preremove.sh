#!/bin/sh
# Runs before the package is removed, and not before an upgrade: dpkg passes "remove", rpm passes 0.
set -e
case "$1" in
remove | 0)
	if [ -d /run/systemd/system ]; then
		systemctl disable --now bellwire
	fi
	;;
esac
