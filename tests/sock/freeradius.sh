# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# FreeRADIUS in west, of whose own configuration nothing is used. Source it after certs.sh.

# shellcheck disable=SC2154 # $VM_OUT, $dir: tests/sock/run, certs.sh

# free_radius NAME PORT SECRET: starts one for clients on this host, with the users of $VM_OUT/NAME/users and the
# certificate $dir/NAME.crt, and TLS up to version $TLS_MAX (1.2); records of accounting, at PORT + 1, go to $VM_OUT/NAME/detail.
free_radius() {
	command -v freeradius > /dev/null || bail "FreeRADIUS is missing: install freeradius"
	local name=$1 port=$2 secret=$3 own=$VM_OUT/$1
	mkdir -p "$own"
	chmod 755 "$own"
	[ -e "$own/users" ] || : > "$own/users"
	# shellcheck disable=SC2016 # FreeRADIUS's
	echo '$INCLUDE /usr/share/freeradius/dictionary' > "$own/dictionary"
	cat > "$own/radiusd.conf" <<-END
	prefix = /usr
	name = freeradius
	confdir = $own
	logdir = $own
	run_dir = $own
	db_dir = $own
	libdir = /usr/lib/freeradius
	pidfile = $own/pid
	max_request_time = 10
	hostname_lookups = no
	security {
	  reject_delay = 0
	  status_server = no
	}
	client west {
	  ipaddr = 127.0.0.0/8
	  secret = $secret
	  require_message_authenticator = yes
	}
	modules {
	  always reject {
	    rcode = reject
	  }
	  pap {
	  }
	  mschap {
	    use_mppe = yes
	  }
	  files {
	    filename = $own/users
	  }
	  detail {
	    filename = $own/detail
	  }
	  eap {
	    default_eap_type = mschapv2
	    timer_expire = 60
	    max_sessions = 100
	    mschapv2 {
	    }
	    md5 {
	    }
	    tls-config tls-common {
	      private_key_file = $dir/$name.key
	      certificate_file = $dir/$name.crt
	      ca_file = $dir/root.crt
	      check_cert_cn = "%{User-Name}"
	      tls_min_version = "1.2"
	      tls_max_version = "${TLS_MAX:-1.2}"
	    }
	    tls {
	      tls = tls-common
	    }
	    ttls {
	      tls = tls-common
	      default_eap_type = mschapv2
	      virtual_server = inner
	      copy_request_to_tunnel = no
	    }
	    peap {
	      tls = tls-common
	      default_eap_type = mschapv2
	      virtual_server = inner
	    }
	  }
	}
	server default {
	  listen {
	    type = auth
	    ipaddr = 127.0.0.1
	    port = $port
	  }
	  listen {
	    type = acct
	    ipaddr = 127.0.0.1
	    port = $((port + 1))
	  }
	  authorize {
	    files
	    eap
	  }
	  authenticate {
	    Auth-Type PAP {
	      pap
	    }
	    Auth-Type MS-CHAP {
	      mschap
	    }
	    eap
	  }
	  accounting {
	    detail
	  }
	}
	server inner {
	  authorize {
	    if (&outer.request:User-Name != &User-Name) {
	      reject
	    }
	    files
	    mschap
	    eap
	  }
	  authenticate {
	    Auth-Type MS-CHAP {
	      mschap
	    }
	    eap
	  }
	}
	END
	start west "$VM_OUT/$name.log" freeradius -X -d "$own" -D /usr/share/freeradius
	wait_for 10 holds "$VM_OUT/$name.log" 'Ready to process requests' ||
		bail "FreeRADIUS does not start: $(tail -n 5 "$VM_OUT/$name.log")"
}
