// Merges pages of OTLP/JSON into one document that holds every resource, scope and span once.
import type { OtlpPage, ResourceSpans, WholeSpan } from "./otlp-page.ts";

type ScopeSpans = ResourceSpans["scopeSpans"][number];

export class OtlpDocument {
  readonly #resources = new Map<string, Omit<ResourceSpans, "scopeSpans">>();
  readonly #scopes = new Map<string, { readonly resource: string; readonly head: Omit<ScopeSpans, "spans"> }>();
  /** By span id. */
  readonly #spans = new Map<string, { readonly span: WholeSpan; readonly scope: string }>();

  /** Pages come in the store's order: a span of a later page replaces the same span of an earlier one. */
  add({ resourceSpans }: OtlpPage): void {
    for (const { scopeSpans, ...resource } of resourceSpans) {
      const resourceKey = canonical(resource);
      this.#resources.set(resourceKey, resource);
      for (const { spans, ...head } of scopeSpans) {
        const scope = `${resourceKey}${canonical(head)}`;
        this.#scopes.set(scope, { resource: resourceKey, head });
        for (const span of spans) this.#spans.set(span.spanId, { span, scope });
      }
    }
  }

  get resourceSpans(): ResourceSpans[] {
    const spans = Map.groupBy(this.#spans.values(), ({ scope }) => scope);
    const scopes = Map.groupBy(this.#scopes, ([, { resource }]) => resource);
    return [...this.#resources].map(([key, resource]) => ({
      ...resource,
      scopeSpans: (scopes.get(key) ?? []).map(([scope, { head }]) => ({
        ...head,
        spans: (spans.get(scope) ?? []).map(({ span }) => span),
      })),
    }));
  }
}

/** The same text for the same content, whatever the order of attributes. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) =>
    Array.isArray(part) && part.every(isAttribute) ? part.toSorted((a, b) => (a.key < b.key ? -1 : 1)) : part,
  );
}

function isAttribute(part: unknown): part is { readonly key: string } {
  return typeof part === "object" && part !== null && "key" in part && typeof part.key === "string";
}
