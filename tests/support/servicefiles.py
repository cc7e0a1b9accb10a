# SPDX-License-Identifier: MIT
"""Configuration files of the registries and of nginx."""

import json

NGINX = """
%(user)s
daemon off;
worker_processes 1;
pid nginx.pid;
error_log error.log;
events { worker_connections 1024; }
http {
  log_format fields escape=json '{"method":"$request_method","target":"$request_uri",'
    '"status":$status,"scheme":"$scheme","authorization":"$http_authorization",'
    '"cookie":"$http_cookie","api_key":"$http_x_api_key","range":"$http_range"}';
  access_log access.log fields;
  client_body_temp_path body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  sendfile on;
  tcp_nopush on;
  keepalive_requests 100000;
  server {
    listen 127.0.0.1:%(port)d;
    listen 127.0.0.1:%(tls_port)d ssl;
    ssl_certificate %(cert)s;
    ssl_certificate_key %(key)s;
    root %(root)s;
    location = /v2/ {
      default_type application/json;
      return 200 "{}";
    }
    location ~ "^/v2/.+/blobs/sha256:(([a-f0-9][a-f0-9])[a-f0-9]+)$" {
      default_type application/octet-stream;
      try_files /docker/registry/v2/blobs/sha256/$2/$1/data /static/blobs/sha256/$1 =404;
    }
    location ~ "^/v2/(.+)/manifests/([^/]+)$" {
      default_type application/vnd.oci.image.manifest.v1+json;
      try_files /static/manifests/$1/$2 =404;
    }
  }
}
"""


def registry_config(port, storage=None, auth=None, tls=None):
    """Of docker-registry 2.8 and distribution v3; JSON is YAML."""
    http = {"addr": "127.0.0.1:%d" % port, "secret": "oras-test"}
    if tls:
        http["tls"] = {"certificate": tls[0], "key": tls[1]}
    place = {"filesystem": {"rootdirectory": storage}} if storage else {"inmemory": {}}
    config = {
        "version": 0.1, "log": {"level": "error", "accesslog": {"disabled": True}}, "http": http,
        "storage": {**place, "delete": {"enabled": True}},
    }
    if auth:
        config["auth"] = auth
    return json.dumps(config)
