# put.sh HOST REPOSITORY FILE: what curl and sha256sum take for a new blob.
set -e
digest=$(sha256sum "$3" | cut -d ' ' -f 1)
place=$(curl -sf -o /dev/null -X POST -D - "http://$1/v2/$2/blobs/uploads/" |
  tr -d '\r' | sed -n 's/^[Ll]ocation: //p')
curl -sf -o /dev/null -T "$3" -H 'Content-Type: application/octet-stream' -H 'Expect:' \
  "$place&digest=sha256:$digest"
