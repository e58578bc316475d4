#!/bin/sh
# Runs after the package is removed. The data and the keyset stay, also when the package is purged.
set -e
if [ -d /run/systemd/system ]; then
	systemctl daemon-reload
fi
