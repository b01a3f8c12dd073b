// The processors for which there is a workerd on Linux.

export type Architecture = "x64" | "arm64";

/** npm's package with the binary. */
export const PACKAGES: Readonly<Record<Architecture, string>> = {
  x64: "@cloudflare/workerd-linux-64",
  arm64: "@cloudflare/workerd-linux-arm64",
};

/** GNU's name of the platform, with which cross-tools begin. */
export const TRIPLES: Readonly<Record<Architecture, string>> = {
  x64: "x86_64-linux-gnu",
  arm64: "aarch64-linux-gnu",
};
