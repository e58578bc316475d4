#!/bin/sh
# Runs after an installation or upgrade, of deb and of rpm. It starts nothing that did not run before.
set -e

if command -v systemd-sysusers >/dev/null; then
	systemd-sysusers bellwire.conf
elif ! getent passwd bellwire >/dev/null; then
	useradd --system --user-group --home-dir /var/lib/bellwire --no-create-home --shell /usr/sbin/nologin bellwire
fi

# Without systemd as the first process, as in a container, there is no service to reload.
[ -d /run/systemd/system ] || exit 0
systemctl daemon-reload
if systemctl --quiet is-active bellwire; then
	systemctl restart bellwire
	exit 0
fi

# dpkg passes "configure" and the version before, if there was one; rpm passes 2 for an upgrade. Commands that write the file of secrets
# must not be proposed where there may be one.
if [ -e /etc/bellwire/bellwire.env ] || [ "$1" = 2 ] || { [ "$1" = configure ] && [ -n "$2" ]; }; then
	echo "Bellwire is installed, and does not run. To start it: systemctl start bellwire"
	exit 0
fi

cat <<'TEXT'
Bellwire is installed. Choose an admin key, and start the service:

  (umask 077; echo BELLWIRE_ADMIN_KEY=$(head -c 24 /dev/urandom | base64) > /etc/bellwire/bellwire.env)
  systemctl enable --now bellwire
TEXT
