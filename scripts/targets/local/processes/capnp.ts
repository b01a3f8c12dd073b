// Renders a configuration of workerd. Knows workerd's schema and nothing of jobs. Holds no secret's value: secrets come
// from the environment of the process, and TLS keys from files that workerd reads when it starts.

export interface WorkerdConfig {
  readonly workers: readonly WorkerdWorker[];
  /** Folders whose files a Worker may read, by path. */
  readonly folders?: readonly { readonly name: string; readonly folder: string }[];
  /** HTTP services outside of this process. */
  readonly externals: readonly WorkerdExternal[];
  readonly sockets: readonly WorkerdSocket[];
}

export interface WorkerdSocket {
  readonly name: string;
  readonly address: string;
  readonly service: string;
  /** HTTPS; with `clientCa` for clients with a certificate of this authority alone. */
  readonly tls?: { readonly keyPair: KeyPairFiles; readonly clientCa?: string };
}

/** A private key (PKCS #8) and its certificate. Paths of PEM files, here and below, are relative to the configuration's file. */
export interface KeyPairFiles {
  readonly privateKeyFile: string;
  readonly certificateFile: string;
}

export interface WorkerdExternal {
  readonly name: string;
  /** Host and port, or a unix socket. */
  readonly address: string;
  /** The server is not one of Troupe's; over TLS, with the name that its certificate must have. */
  readonly foreign?: { readonly certificateHost?: string };
  /** The server is of the same job on another machine. */
  readonly peer?: MachineEdge;
}

/** How a listener of the same job is called over HTTPS on another machine. */
export interface MachineEdge {
  /** The caller's own. */
  readonly keyPair: KeyPairFiles;
  /** The only authority that is trusted. */
  readonly ca: string;
  /** The name that the server's certificate must have. */
  readonly certificateHost: string;
  /** The host and port by which the server knows itself, such as `127.0.0.1:9001`. */
  readonly host: string;
}

export interface WorkerdWorker {
  readonly name: string;
  /** Path of the module, relative to the configuration's file, with forward slashes. */
  readonly module: string;
  readonly bindings: readonly WorkerdBinding[];
  readonly storage?: {
    /** Absolute folder, which must exist. */
    readonly folder: string;
    readonly classes: readonly string[];
  };
}

export type WorkerdBinding =
  | { readonly name: string; readonly kind: "json" | "text"; readonly value: string }
  | { readonly name: string; readonly kind: "environment"; readonly variable: string }
  /** `props` reach the service as `ctx.props`. */
  | { readonly name: string; readonly kind: "service"; readonly service: string; readonly props?: object }
  | { readonly name: string; readonly kind: "object"; readonly className: string }
  /** The files of the Worker's own objects, to read. Their folder must exist. */
  | { readonly name: string; readonly kind: "object-files"; readonly className: string };

/** Length of a configuration's end in which its sockets stand. */
const MAX_SOCKETS_CHARS = 1_000;

/** Reaches public addresses only: workerd refuses private and loopback addresses after it has resolved the name. */
export const PUBLIC_NETWORK = "network:public";
/** Reaches every address. */
export const ANY_NETWORK = "network:any";

/** Begins the address of a unix socket: a path, absolute or from the folder in which workerd was started. */
export const UNIX = "unix:";

/** From this date nodejs_compat needs no flag. */
export const COMPATIBILITY_DATE = "2026-10-15";

export function renderConfig({ workers, folders = [], externals, sockets }: WorkerdConfig): string {
  const services = [
    network(PUBLIC_NETWORK, ["public"]),
    network(ANY_NETWORK, ["public", "private"]),
    ...externals.map(external),
    ...folders.map(({ name, folder }) => `(name = ${quote(name)}, disk = (path = ${quote(folder)}))`),
    ...workers.flatMap((worker) => [...disk(worker), ...objectFiles(worker), workerService(worker)]),
  ];
  const listeners = sockets.map(socket);
  return `using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    ${services.join(",\n    ")},
  ],
  sockets = [
    ${listeners.join(",\n    ")},
  ],
  logging = (structuredLogging = true),
);
`;
}

/** The port of the last socket in a configuration that renderConfig made; undefined for other text. */
export function portIn(config: string): number | undefined {
  const sockets = config
    .slice(-MAX_SOCKETS_CHARS)
    .matchAll(/address = "127\.0\.0\.1:(\d{1,5})", http = \(\), service/g);
  const port = [...sockets].at(-1)?.[1];
  return port === undefined ? undefined : Number(port);
}

/** The folders of all objects' files. */
export function foldersOf({ workers }: WorkerdConfig): string[] {
  return workers.flatMap((worker) => {
    const { storage } = worker;
    return storage?.classes.map((className) => `${storage.folder}/${objectFolder(worker, className)}`) ?? [];
  });
}

/** A Cap'n Proto string literal. */
export function quote(text: string): string {
  const escaped = text.replace(/[\\"\p{Cc}]/gu, (character) => {
    if (character === "\\" || character === '"') return `\\${character}`;
    return `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`;
  });
  return `"${escaped}"`;
}

function socket({ name, address, service, tls }: WorkerdSocket): string {
  const protocol = tls === undefined ? "http = ()" : `https = (options = (), tlsOptions = (${listening(tls)}))`;
  return `(name = ${quote(name)}, address = ${quote(address)}, ${protocol}, service = ${quote(service)})`;
}

function listening({ keyPair, clientCa }: NonNullable<WorkerdSocket["tls"]>): string {
  if (clientCa !== undefined) return `${mutualTls(keyPair, clientCa)}, requireClientCerts = true`;
  return `${pairOf(keyPair)}, minVersion = tls1Dot2`;
}

/** Both ends are workerd of the same release, so nothing older than TLS 1.3 is needed. */
function mutualTls(pair: KeyPairFiles, ca: string): string {
  return `${pairOf(pair)}, trustedCertificates = [embed ${quote(ca)}], minVersion = tls1Dot3`;
}

function pairOf({ privateKeyFile, certificateFile }: KeyPairFiles): string {
  return `keypair = (privateKey = embed ${quote(privateKeyFile)}, certificateChain = embed ${quote(certificateFile)})`;
}

function external({ name, address, ...server }: WorkerdExternal): string {
  return `(name = ${quote(name)}, external = (address = ${quote(address)}, ${protocol(address, server)}))`;
}

function protocol(address: string, { foreign, peer }: Pick<WorkerdExternal, "foreign" | "peer">): string {
  if (peer !== undefined) {
    const { keyPair, ca, certificateHost, host } = peer;
    return `https = (options = ${hostHeader(host)}, tlsOptions = (${mutualTls(keyPair, ca)}), certificateHost = ${quote(certificateHost)})`;
  }
  // A unix socket has no name that a listener could know.
  if (!foreign) return `http = ${hostHeader(address.startsWith(UNIX) ? "localhost" : address)}`;
  const { certificateHost } = foreign;
  if (certificateHost === undefined) return "http = ()";
  return `https = (options = (), tlsOptions = (trustBrowserCas = true), certificateHost = ${quote(certificateHost)})`;
}

/** Troupe's listeners accept their own host name only, and a binding's caller may use any name. */
function hostHeader(host: string): string {
  return `(injectRequestHeaders = [(name = "Host", value = ${quote(host)})])`;
}

function network(name: string, allow: readonly string[]): string {
  const list = allow.map(quote).join(", ");
  return `(name = ${quote(name)}, network = (allow = [${list}], tlsOptions = (trustBrowserCas = true)))`;
}

function disk({ name, storage }: WorkerdWorker): string[] {
  if (storage === undefined) return [];
  return [`(name = ${quote(`disk:${name}`)}, disk = (path = ${quote(storage.folder)}, writable = true))`];
}

/** Folder of a class's files within the folder of its Worker's storage: workerd names it after the unique key. */
function objectFolder({ name }: Pick<WorkerdWorker, "name">, className: string): string {
  return `${name}-${className}`;
}

function objectFiles(worker: WorkerdWorker): string[] {
  const { bindings, storage } = worker;
  return bindings.flatMap((item) => {
    if (item.kind !== "object-files" || storage === undefined) return [];
    const folder = objectFolder(worker, item.className);
    return [`(name = ${quote(`files:${folder}`)}, disk = (path = ${quote(`${storage.folder}/${folder}`)}))`];
  });
}

function workerService(worker: WorkerdWorker): string {
  const { name, module, storage, bindings } = worker;
  const fields = [
    `modules = [(name = "index.js", esModule = embed ${quote(module)})]`,
    `compatibilityDate = ${quote(COMPATIBILITY_DATE)}`,
    `globalOutbound = ${quote(PUBLIC_NETWORK)}`,
    `bindings = [${bindings.map((item) => binding(worker, item)).join(", ")}]`,
  ];
  if (storage !== undefined) {
    const classes = storage.classes.map(
      (className) =>
        `(className = ${quote(className)}, uniqueKey = ${quote(objectFolder(worker, className))}, enableSql = true)`,
    );
    fields.push(`durableObjectNamespaces = [${classes.join(", ")}]`);
    fields.push(`durableObjectStorage = (localDisk = ${quote(`disk:${name}`)})`);
  }
  return `(name = ${quote(name)}, worker = (\n      ${fields.join(",\n      ")}))`;
}

function binding(worker: WorkerdWorker, item: WorkerdBinding): string {
  const name = `name = ${quote(item.name)}`;
  switch (item.kind) {
    case "json":
      return `(${name}, json = ${quote(item.value)})`;
    case "text":
      return `(${name}, text = ${quote(item.value)})`;
    case "environment":
      return `(${name}, fromEnvironment = ${quote(item.variable)})`;
    case "service":
      return item.props === undefined
        ? `(${name}, service = ${quote(item.service)})`
        : `(${name}, service = (name = ${quote(item.service)}, props = (json = ${quote(JSON.stringify(item.props))})))`;
    case "object":
      return `(${name}, durableObjectNamespace = ${quote(item.className)})`;
    case "object-files":
      return `(${name}, service = ${quote(`files:${objectFolder(worker, item.className)}`)})`;
  }
}
