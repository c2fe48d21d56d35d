#!/bin/sh
# Installs gengfu @VERSION@ from this folder, without a network; run again with a newer folder it upgrades.
#     sh install.sh [WHERE]        by default /opt/gengfu
#     PYTHON=/path/to/python@PYTHON@ sh install.sh [WHERE]
set -eu
where=${1:-/opt/gengfu}
case $where in /*) ;; *) where=$PWD/$where ;; esac
cd "$(dirname "$0")"
python=${PYTHON:-python@PYTHON@}

if ! sha256sum --check --quiet SHA256SUMS; then
    echo "这个文件夹不完整或者被改过，没有安装。请重新拷贝。 This folder is damaged: copy it again." >&2
    exit 1
fi
if ! "$python" -c 'import ensurepip, platform, sys, venv
found = "%d.%d" % sys.version_info[:2], platform.system() + " " + platform.machine()
sys.exit(found != ("@PYTHON@", "@MACHINE@"))'; then
    echo "要 Python @PYTHON@（带 venv）和 @MACHINE@。 This needs Python @PYTHON@ with venv (on Debian: python@PYTHON@-venv), on @MACHINE@." >&2
    exit 1
fi
"$python" -m venv "$where"
"$where/bin/python" -m pip --isolated install --quiet --disable-pip-version-check --no-cache-dir \
    --no-index --find-links wheels --require-hashes --requirement requirements.txt
"$where/bin/gengfu" --version
