// Preloaded into dependency-cruiser: the syntax-tree visitor of @swc/core stops at `using` and `await using`. They hold
// declarators as `const` does, and are visited as such here.
import { Visitor } from "@swc/core/Visitor.js";
import type { Statement, VariableDeclaration } from "@swc/core";

// oxlint-disable-next-line typescript/unbound-method -- it gets its `this` from `call` below
const visitStatement = Visitor.prototype.visitStatement;

Visitor.prototype.visitStatement = function (this: Visitor, statement: Statement | UsingDeclaration) {
  if (statement.type !== "UsingDeclaration") return visitStatement.call(this, statement);
  return this.visitVariableDeclaration({
    type: "VariableDeclaration",
    span: statement.span,
    kind: "const",
    declare: false,
    declarations: statement.decls,
  });
};

interface UsingDeclaration {
  readonly type: "UsingDeclaration";
  readonly span: VariableDeclaration["span"];
  readonly decls: VariableDeclaration["declarations"];
}
