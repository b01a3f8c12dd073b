// The edge's own certificate authority, which clients trust by NODE_EXTRA_CA_CERTS, and a certificate for each name that is asked.
import { createSecureContext, type SecureContext } from "node:tls";

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
const DAY_MS = 24 * 3_600_000;
const AUTHORITY = "CN=Emulated edge, O=Troupe";

export class Certificates {
  /** Of the authority, PEM. */
  readonly authority: string;
  readonly #keys: CryptoKeyPair;
  readonly #contexts = new Map<string, Promise<SecureContext>>();

  private constructor(keys: CryptoKeyPair, authority: string) {
    this.#keys = keys;
    this.authority = authority;
  }

  static async create(): Promise<Certificates> {
    const x509 = await library();
    const keys = await crypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
    const authority = await x509.X509CertificateGenerator.createSelfSigned({
      name: AUTHORITY,
      keys,
      signingAlgorithm: ALGORITHM,
      extensions: [
        new x509.BasicConstraintsExtension(true, 0, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      ],
      ...validity(),
    });
    return new Certificates(keys, `${authority.toString("pem")}\n`);
  }

  /** For a server of this name. All names right below the same one share a certificate. */
  async contextFor(name: string): Promise<SecureContext> {
    const above = name.split(".").slice(1).join(".");
    const subject = above.includes(".") ? `*.${above}` : name;
    const known = this.#contexts.get(subject) ?? this.#issue(subject);
    this.#contexts.set(subject, known);
    return known;
  }

  async #issue(name: string): Promise<SecureContext> {
    const x509 = await library();
    // One key for all: nobody else ever trusts it.
    const certificate = await x509.X509CertificateGenerator.create({
      subject: "CN=Emulated edge",
      issuer: AUTHORITY,
      publicKey: this.#keys.publicKey,
      signingKey: this.#keys.privateKey,
      signingAlgorithm: ALGORITHM,
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
        new x509.SubjectAlternativeNameExtension([{ type: "dns", value: name }]),
        await x509.AuthorityKeyIdentifierExtension.create(this.#keys.publicKey),
      ],
      ...validity(),
    });
    const key = Buffer.from(await crypto.subtle.exportKey("pkcs8", this.#keys.privateKey)).toString("base64");
    return createSecureContext({
      cert: certificate.toString("pem"),
      key: `-----BEGIN PRIVATE KEY-----\n${key}\n-----END PRIVATE KEY-----\n`,
    });
  }
}

function validity() {
  return { notBefore: new Date(Date.now() - DAY_MS), notAfter: new Date(Date.now() + DAY_MS) };
}

/** It needs the other one first. */
async function library() {
  await import("reflect-metadata");
  return import("@peculiar/x509");
}
