#!/bin/sh
# hyoka をネットワークのない機械に入れる。使い方は同じフォルダーの README.md。
#
#   sh install.sh [--to フォルダー] [--python パス] [--extras ocr,postgres]
#
# 初めに SHA256SUMS と照合し、次に pip が一つずつハッシュを確かめる。版ごとのフォルダーに入れ、最後に current を付け替える
# ので、途中で止まっても、前の版はそのまま動く。
set -eu
umask 022 # 入れる人の設定によらず、動かす人が読めるように

here=$(cd "$(dirname "$0")" && pwd)
to="${HYOKA_HOME:-/opt/hyoka}"
python=python3
extras=""

stop() {
  printf '%s\n' "$1" >&2
  exit 1
}

while [ $# -gt 0 ]; do
  case "$1" in
    --to | --python | --extras)
      [ $# -ge 2 ] || stop "$1 の値がありません。README.md の「入れる」を見てください。"
      case "$1" in
        --to) to=$2 ;;
        --python) python=$2 ;;
        --extras) extras=$2 ;;
      esac
      shift 2
      ;;
    -h | --help)
      sed -n '2,4s/^# \{0,1\}//p' "$0"
      exit 0
      ;;
    *) stop "$1 という指定はありません。--to、--python、--extras が使えます。" ;;
  esac
done

# 一つ目の照合：届いたままか。
command -v sha256sum >/dev/null || stop "sha256sum がありません。coreutils を入れてから、もう一度実行してください。"
bad=$(cd "$here" && LC_ALL=C sha256sum --quiet --check SHA256SUMS 2>&1) || stop "ファイルが、作られたときと違います。何も入れませんでした。
$bad
運び直してから、もう一度実行してください。"
# SHA256SUMS に載っていないものは、誰かが後から足したもの。
extra=$(cd "$here" && find . -type f ! -name SHA256SUMS | sed 's|^\./||' | while read -r file; do
  cut -c67- SHA256SUMS | grep -qxF "$file" || printf '%s\n' "$file"
done)
[ -z "$extra" ] || stop "SHA256SUMS にないファイルがあります。何も入れませんでした。
$extra
運び直してから、もう一度実行してください。"

wanted() { sed -n "s/^$1: //p" "$here/VERSION"; }
name=$(wanted name)
version=$(wanted version)
command -v "$python" >/dev/null || stop "$python がありません。Python $(wanted python) を入れるか、--python で場所を指定してください。"
found=$("$python" -c 'import sys, sysconfig; print("%d.%d" % sys.version_info[:2], sysconfig.get_platform())') ||
  stop "$python を動かせません。--python で Python $(wanted python) の場所を指定してください。"
[ "$found" = "$(wanted python) $(wanted platform)" ] ||
  stop "この束は Python $(wanted python)（$(wanted platform)）用です。この機械の $python は $found でした。
--python で場所を指定するか、この機械に合わせて作った束を使ってください。"

locks="-r locks/base.txt"
for one in $(printf '%s' "$extras" | tr ',' ' '); do
  [ -f "$here/locks/$one.txt" ] || stop "$one という追加部品は、この束に入っていません。入っているもの：$(wanted extras)"
  locks="$locks -r locks/$one.txt"
done

mkdir -p "$to/versions" || stop "$to に書き込めません。--to で別のフォルダーを指定するか、権限を確かめてください。"
to=$(cd "$to" && pwd)
place="$to/versions/$version"
# 入れ直すときも、動いている版には触れない。途中で止まった跡（VERSION がない）は片付ける。
again=2
while [ -f "$place/VERSION" ]; do
  place="$to/versions/$version-$again"
  again=$((again + 1))
done
rm -rf "$place"
trap 'status=$?; [ $status -eq 0 ] || rm -rf "$place"' EXIT
trap 'exit 130' INT TERM

# pip はこの束のものを使う：python3-venv のない機械でも動き、古い pip に左右されない。
"$python" -m venv --without-pip "$place"
cd "$here"
# 二つ目の照合：入れるもの一つ一つを、ロックのハッシュと。環境変数や手元の設定は読まない。
# shellcheck disable=SC2086 # ロックの指定は空白で分ける
PYTHONNOUSERSITE=1 PYTHONPATH="" PIP_CONFIG_FILE=/dev/null "$place/bin/python" "$(ls pip/pip-*.whl)/pip" install \
  --isolated --no-index --find-links wheels --require-hashes --only-binary :all: --no-cache-dir \
  --disable-pip-version-check --no-warn-script-location --quiet $locks ||
  stop "入れられませんでした。上の文を確かめて、束を運び直してから、もう一度実行してください（元の版はそのままです）。"

(cd / && "$place/bin/$name" --help >/dev/null) || stop "入れた $name が動きません。動かなかった版は消し、元の版はそのままです。"
cp NOTICE sbom.cdx.json "$place/"
cp VERSION "$place/VERSION.new"
mv "$place/VERSION.new" "$place/VERSION"

# 最後に付け替える。mv -T は一つの操作なので、current がない瞬間はない。
ln -s "versions/$(basename "$place")" "$to/current.new.$$"
mv -T "$to/current.new.$$" "$to/current"

printf '%s\n' "$name $version を $place に入れました（$to/current が指しています）。" \
  "次は、シートのフォルダーを読み込みます： $to/current/bin/$name index フォルダー" \
  "画面を開くには： $to/current/bin/$name serve"
