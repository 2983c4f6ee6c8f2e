/** What the API and the terminals are told: addresses, rules, quotas. */
import { flag, lines, option, list, optionalText, port, quota, text, whole } from '../kinds.ts'

/** Upstream's words for one version; here for that and newer ones. Versions that are broken are not spoken. */
const tlsVersion = option(
  'string',
  (value): 'TLSv1.2' | 'TLSv1.3' => {
    const known = ['', 'sslv23', 'tlsv1', 'tlsv1_1', 'tlsv1_2', 'tlsv1_3']
    const version = value.toLowerCase().replace('.', '_')
    if (!known.includes(version)) throw new Error(`it is not one of ${known.slice(1).join(', ')}`)
    return version === 'tlsv1_3' ? 'TLSv1.3' : 'TLSv1.2'
  },
  'tlsv1_2, tlsv1_3',
)

export const API_OPTIONS = {
  apiPort: port('api', 'port', { fallback: '9517', help: 'TCP port of the API.' }),
  apiHostIp: text('api', 'host_ip', { fallback: '$my_ip', help: 'Address the API listens on.' }),
  maxLimit: whole(1, 1_000_000)('api', 'max_limit', { fallback: '1000', help: 'Largest page of a list.' }),
  enableSslApi: flag('api', 'enable_ssl_api', { fallback: 'false', help: 'Serve the API with TLS, by [ssl].' }),
  sslCertFile: optionalText('ssl', 'cert_file', {
    fallback: '',
    help: 'Certificate of the API, with its chain (PEM).',
  }),
  sslKeyFile: optionalText('ssl', 'key_file', { fallback: '', help: 'Its private key (PEM).' }),
  sslCaFile: optionalText('ssl', 'ca_file', {
    fallback: '',
    help: 'When given, clients must show a certificate of one of these authorities (PEM).',
  }),
  sslVersion: tlsVersion('ssl', 'version', { fallback: '', help: 'Oldest version of TLS; never older than 1.2.' }),
  sslCiphers: optionalText('ssl', 'ciphers', { fallback: '', help: "In OpenSSL's form; empty: those of Node." }),
  publicEndpoint: optionalText('api', 'public_endpoint', {
    fallback: '',
    help: 'Scheme and host for links, e.g. https://cloud.example:9517; empty: as the request came.',
  }),
  enableProxyHeaders: flag('oslo_middleware', 'enable_proxy_headers_parsing', {
    fallback: 'false',
    help: 'Believe X-Forwarded-Proto and X-Forwarded-Host.',
  }),
  allowedOrigins: list('cors', 'allowed_origin', {
    fallback: '',
    help: 'Origins that browsers may call from; *: any, without credentials.',
  }),
  corsCredentials: flag('cors', 'allow_credentials', { fallback: 'true', help: 'Browsers may send credentials.' }),
  corsExposeHeaders: list('cors', 'expose_headers', {
    fallback:
      'X-Auth-Token,X-Subject-Token,X-Service-Token,X-OpenStack-Request-ID,X-Server-Management-Url,' +
      'OpenStack-API-Version,Idempotency-Replayed,X-Zund-Wait,X-Docker-Container-Path-Stat',
    help: 'Headers of answers that pages may read: all of them, a list given here replaces the default.',
  }),
  corsMethods: list('cors', 'allow_methods', { fallback: 'GET,PUT,POST,DELETE,PATCH', help: 'Methods for pages.' }),
  corsHeaders: list('cors', 'allow_headers', {
    fallback:
      'X-Auth-Token,X-Identity-Status,X-Roles,X-Service-Catalog,X-User-Id,X-Project-Id,X-OpenStack-Request-ID,X-Server-Management-Url,' +
      'OpenStack-API-Version,X-Subject-Token,Idempotency-Key,Last-Event-ID',
    help: 'Headers of requests that pages may send, besides Content-Type and other harmless ones; replaces the default.',
  }),
  corsMaxAge: whole(0, 86_400)('cors', 'max_age', { fallback: '3600', help: 'Seconds a preflight is remembered.' }),
  healthcheckDisableFile: text('healthcheck', 'disable_by_file_path', {
    fallback: '/etc/zun/healthcheck_disable',
    help: 'While this file exists the healthcheck answers 503.',
  }),
  quotaContainers: quota('quota', 'containers', { fallback: '40', help: 'Per project; -1: unlimited.' }),
  quotaMemory: quota('quota', 'memory', { fallback: '51200', help: 'MiB per project.' }),
  quotaCpu: quota('quota', 'cpu', { fallback: '20', help: 'Cores per project.' }),
  quotaDisk: quota('quota', 'disk', { fallback: '100', help: 'GiB per project.' }),
  quotaDriver: text('quota', 'driver', {
    fallback: 'zun.common.quota.DbQuotaDriver',
    help: 'A name that ends in NoopQuotaDriver switches quotas off.',
  }),
  wsproxyHost: text('websocket_proxy', 'wsproxy_host', { fallback: '$my_ip', help: 'Address terminals listen on.' }),
  wsproxyPort: port('websocket_proxy', 'wsproxy_port', { fallback: '6784', help: 'TCP port of terminals.' }),
  wsproxyCert: optionalText('websocket_proxy', 'cert', { fallback: '', help: 'Certificate of the terminals (PEM).' }),
  wsproxyKey: optionalText('websocket_proxy', 'key', {
    fallback: '',
    help: 'Its private key (PEM); empty: in the same file.',
  }),
  wsproxySslOnly: flag('websocket_proxy', 'ssl_only', {
    fallback: 'false',
    help: 'Refuse terminals without TLS; otherwise the port takes both.',
  }),
  wsproxyBaseUrl: text('websocket_proxy', 'base_url', {
    fallback: 'ws://$wsproxy_host:$wsproxy_port/',
    help: 'Where users reach the terminals, with its trailing slash; as it stands it is wss:// when there is a cert.',
  }),
  wsproxyAllowedOrigins: list('websocket_proxy', 'allowed_origins', {
    fallback: '',
    help: "Host names, besides the request's own, that a browser may come from.",
  }),
  policyFile: text('oslo_policy', 'policy_file', {
    fallback: 'policy.yaml',
    help: 'Rules that replace the defaults; looked for beside the configuration when it is not a full path.',
  }),
  policyDirs: lines('oslo_policy', 'policy_dirs', {
    fallback: 'policy.d',
    help: 'Directories whose files come on top of the policy file; may be given several times.',
    multiple: true,
  }),
  policyDefaultRule: text('oslo_policy', 'policy_default_rule', {
    fallback: 'default',
    help: 'Rule that stands in for unknown ones, if there is one of that name.',
  }),
} as const
