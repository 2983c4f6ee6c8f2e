# Sourced by ./zund. The texts behind --help.

has_help() {
  case $1 in
    zund | up | down | status | policy | config | test | bench | env) return 0 ;;
    api | conductor | compute | wsproxy | db | certificates) return 0 ;;
    *) return 1 ;;
  esac
}

# packages/cli/src/commands.ts; a test holds both against each other.
is_client_command() {
  case $1 in
    run | create | ps | ls | inspect | show | logs | exec | attach | cp | stats | top | events | wait) return 0 ;;
    start | stop | restart | kill | pause | unpause | rename | rm | commit | images | pull) return 0 ;;
    capsule | completion | login | version) return 0 ;;
    *) return 1 ;;
  esac
}

help_for() {
  has_help "$1" || misuse "there is no help about '$1'"
  "help_$1"
}

help_zund() {
  cat <<'TEXT'
Usage: ./zund COMMAND [OPTIONS]

The OpenStack Containers service on one machine, and containers of it or of any other.

The service:

  up          set up what is missing, start the service, say how to use it
  down        stop it; containers keep running
  status      what runs, the engine, how many containers
  policy      list the rules of who may do what, and try them
  config      check the configuration, list all options
  test        run the tests
  bench       run the benchmarks
  env         run a command with the project's Node first in PATH
  help        this text; the same as --help

Its roles by themselves, on one machine or several (docs/roles.md):

  api           the API, and what hosts speak to
  conductor     work for the deployment as a whole, where the API is told to leave it
  compute       the containers of this host
  wsproxy       terminals, at a port of their own
  db            make the database, or bring it to this version
  certificates  make the certificates by which roles know each other

Containers (docs/cli.md):

  run         make a container and start it
  create      make a container
  ps          list containers
  inspect     show all there is to know of containers
  logs        show what a container has written
  exec        run a command in a container
  attach      talk to the program of a container
  cp          copy files to and from a container
  stats       show what containers use
  top         list the processes of a container
  events      show what happens
  wait        wait until containers end
  start, stop, restart, kill, pause, unpause, rename, rm
  commit      make an image of a container
  images      list images
  pull        bring an image to a host
  capsule     apply, ls, show, rm: containers that share a network
  completion  print what makes a shell complete these commands
  login       check: log in, and say as whom
  version     show the versions of client and service

./zund COMMAND --help tells more about each.
TEXT
}

help_up() {
  cat <<'TEXT'
Usage: ./zund up [OPTIONS]

Brings Node and the npm packages when they are missing or old, finds a container engine, migrates the database and
starts all roles in one process. When it is ready it prints the endpoint, the path of a clouds.yaml with the passwords,
and the first commands to try. It stays in the foreground until Ctrl-C, unless told to detach.

  --state-dir DIR       where database, keys, volumes and logs are kept
                        (default: $ZUND_STATE_DIR, or /var/lib/zund for root,
                        or ${XDG_STATE_HOME:-~/.local/state}/zund)
  --api-port PORT       the API and its identity service (default: 9517)
  --wsproxy-port PORT   terminals (default: 6784)
  --bind ADDRESS        address to listen on (default: 127.0.0.1)
  --config-file FILE    configuration, later ones win (default: the first of DIR/zun.conf,
                        ~/.zun/zun.conf, ~/zun.conf, /etc/zun/zun.conf, /etc/zun.conf)
  --config-dir DIR      its *.conf come on top (default: the first zun.conf.d in the same places)
  --detach              return when it is ready and leave it running
  --no-install          neither install nor start a container engine

The engine is found through DOCKER_HOST, which must be unix://PATH, or at /var/run/docker.sock. Where none answers, root
on Debian or Ubuntu gets the distribution's docker.io installed and started; anybody else is told what to do.

Exit status: 0 when it ran, or runs already; not 0 when it could not start, with one line saying why.
TEXT
}

help_down() {
  cat <<'TEXT'
Usage: ./zund down [--state-dir DIR]

Stops what `up` started on this state directory. Containers and the container engine keep running; the next `up` knows
them again.
TEXT
}

help_status() {
  cat <<'TEXT'
Usage: ./zund status [--state-dir DIR] [--json]
       ./zund status upgrade check [--config-file FILE]... [--config-dir DIR]... [--state-dir DIR]

Shows whether the service that `up` started runs, its roles, its container engine, and how many containers and
operations there are. Exit status: 0 when it runs, 3 when it does not.

`upgrade check` says whether this program can take over what is there: configuration, policy files, database and
certificates. Exit status: 0 it can; 1 something is worth a look; 2 something is in the way.
TEXT
}

help_policy() {
  cat <<'TEXT'
Usage: ./zund policy list [--format FORMAT] [OPTIONS]
       ./zund policy check RULE [--roles ROLE,...] [--project ID] [--user ID] [--target NAME=VALUE]... [OPTIONS]

`list` shows every rule: its name, its check string, whether that is the default, overridden or added by the operator,
and what it guards. `check` says whether somebody passes a rule, and how each rule behind it comes out. Both read the
files as the service would, which need not run. docs/policy.md tells of the files and of what a rule may say.

  --state-dir DIR       state directory of the service (default: as of `up`)
  --config-file FILE    configuration, as of `up`
  --config-dir DIR      likewise
  --policy-file FILE    try this file in the place of the service's own files
  --format FORMAT       of the list: table (default) or json
  --roles ROLE,...      roles of the caller; may be given several times
  --project ID          project of the caller's token
  --user ID             the caller
  --target NAME=VALUE   a field of what is acted on; without any: project_id and user_id of the caller

Example: ./zund policy check container:delete --roles member --project p1 --target project_id=p2

Exit status: 0 when it is allowed, or all rules can be read; 3 when it is denied; 1 when a rule or a file is wrong,
with one line for each.
TEXT
}

help_config() {
  cat <<'TEXT'
Usage: ./zund config check [--config-file FILE]... [--config-dir DIR]... [--state-dir DIR]
       ./zund config reference

`check` reads the configuration as `up` would, and says what is wrong with it and what of it has no effect.
`reference` prints every option with its group, type, limits and default, in the form of a zun.conf.
docs/configuration.md tells the rest.

  --config-file FILE    configuration, as of `up`; may be given several times
  --config-dir DIR      likewise
  --state-dir DIR       state directory of the service (default: as of `up`)

Exit status: 0 when the service can start with it; 1 when it cannot, with one line for each mistake.
TEXT
}

# ROLE, what it is.
help_role() {
  cat <<TEXT
Usage: ./zund $1 [--config-file FILE]... [--config-dir DIR]... [--state-dir DIR]

Runs one role until it is told to stop: $2. docs/roles.md tells how
roles find each other.

  --config-file FILE    configuration, as of \`up\`; may be given several times
  --config-dir DIR      likewise
  --state-dir DIR       where its state is kept (default: [DEFAULT] state_path, or as of \`up\`)

SIGTERM stops it; containers keep running. SIGHUP opens the log again, reads certificates and those options that may
change while it runs, and logs what has changed.

Exit status: 0 when it was told to stop; 1 when it could not start or had to end, with one line saying why.
TEXT
}

help_api() { help_role api 'the API, and the end of the link that hosts speak to'; }
help_conductor() { help_role conductor 'work for the deployment as a whole ([zund] conductor_in_api = false)'; }
help_compute() { help_role compute 'the containers of this host; it needs [zund] control_plane'; }
help_wsproxy() { help_role wsproxy 'terminals, at a port of their own'; }

help_db() {
  cat <<'TEXT'
Usage: ./zund db sync|version [--config-file FILE]... [--config-dir DIR]... [--state-dir DIR]

`sync` makes the database, or brings it to the version of this program; `version` says at which it is. For roles by
themselves; `up` does it on its own.

  --config-file FILE    configuration, as of the roles; may be given several times
  --config-dir DIR      likewise
  --state-dir DIR       likewise

Exit status: 0 when it is at the version of this program, 3 when not, 1 when it cannot be opened.
TEXT
}

help_certificates() {
  cat <<'TEXT'
Usage: ./zund certificates [renew] [--host NAME]... [--directory DIR] [--days N]

Makes the authority of a deployment and the certificates by which its parts know each other: that of the control plane, or
with --host those of hosts. What is there is kept; `renew` makes it anew, but never the authority. Needs openssl.

  --host NAME           name of a host, as [DEFAULT] host has it; may be given several times
  --directory DIR       where they are (default: [zund] tls_directory, /etc/zun/tls)
  --days N              how long they are good for (default: 365)
  --config-file FILE    configuration, as of the roles; may be given several times
  --config-dir DIR      likewise

Example: ./zund certificates && ./zund certificates --host compute1 --host compute2
TEXT
}

help_test() {
  cat <<'TEXT'
Usage: ./zund test [SUITE...] [--list] [--setup-only] [-- NODE-OPTION... [FILE...]]

Runs the tests of the named suites, or of all. Sees to all they need: the npm packages, Debian packages (as root), and a
container engine of their own in a network of its own, which is stopped afterwards. Of several suites, openstack runs
beside the others and its output comes when it is through. What failed is told once more at the end, with the reason.
The last line is "N passed, N failed"; the exit status is 1 when a test failed or none ran.

  --list          name the suites and what they need, and stop
  --setup-only    install what the suites need, and stop
  -- ...          what follows goes to `node --test`; files replace those of the suite

  ZUND_TEST_ENGINE      socket of an engine to use instead; it needs the image busybox:latest
  ZUND_TEST_OPENSTACK   clouds.yaml of OpenStack services on this machine to use instead, with the accounts
                        that tools/openstack makes

Example: ./zund test unit -- --test-name-pattern=quota
TEXT
}

help_bench() {
  cat <<'TEXT'
Usage: ./zund bench [NAME...] [--list]

Runs the named benchmarks, or all, and prints their figures beside what each is aimed at. bench/README.md says how they
are measured.

  --list             name the benchmarks and stop

  ZUND_TEST_ENGINE   socket of an engine to use instead of one of its own
TEXT
}

help_env() {
  cat <<'TEXT'
Usage: ./zund env COMMAND [ARGUMENT...]

Runs COMMAND with the Node that the project uses first in PATH and with the npm packages installed.

Example: ./zund env npm run lint
TEXT
}
