#!/usr/bin/env bash
# ansible-core 2.14.18 (Debian 12), 2026-11-29.
#
# A file of mode 0600 on which an ACL lets one more user read. `ls` shows 0640: with an ACL the middle
# digit is the mask, and the group itself has no rights. `lineinfile` writes a new file, gives it the
# mode 0640 that it saw, and no ACL. So the user of the ACL can no longer read it, and the group now can.
#
# Output seen:
#   before: group::--- mask::r-- user:daemon:r--
#   after:  group::r--
# Needs apt-get with Debian 12's packages, python3 3.11, getfacl and setfacl. Exits 1 when this changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
apt-get -qq -o APT::Sandbox::User=root download ansible-core=2.14.18-0+deb12u2 \
  python3-jinja2=3.1.2-1+deb12u3 python3-markupsafe python3-packaging python3-resolvelib \
  python3-yaml libyaml-0-2 python3-cryptography python3-cffi-backend
for package in *.deb; do dpkg-deb -x "$package" root; done

printf 'LOCAL_DOMAIN=social.example\n' > settings
chmod 600 settings
setfacl -m u:daemon:r settings
cat > play.yml <<END
- hosts: localhost
  connection: local
  gather_facts: false
  tasks:
    - ansible.builtin.lineinfile:
        path: $work/settings
        line: S3_ENABLED=true
END
rights() { getfacl -cE settings | grep -E '^(group::|user:[a-z]|mask)' | sort | paste -sd ' '; }
before=$(rights)
env -i PATH=/usr/bin:/bin HOME="$work" PYTHONPATH="$work/root/usr/lib/python3/dist-packages" \
  LD_LIBRARY_PATH="$(echo "$work"/root/usr/lib/*-linux-gnu)" LC_ALL=C.UTF-8 \
  /usr/bin/python3 root/usr/bin/ansible-playbook -i localhost, -e ansible_python_interpreter=/usr/bin/python3 \
  play.yml > log || { cat log; exit 1; }
grep -q '^S3_ENABLED=true$' settings
after=$(rights)
echo "before: $before"
echo "after:  $after"
[[ $before == 'group::--- mask::r-- user:daemon:r--' && $after == 'group::r--' ]]
