// The syntax-tree visitor of @swc/core, which dependency-cruiser uses, stops at `using` and `await using`.
import { Visitor } from "@swc/core/Visitor.js";
import type { Statement, VariableDeclaration } from "@swc/core";

interface UsingDeclaration {
  readonly type: "UsingDeclaration";
  readonly span: VariableDeclaration["span"];
  readonly decls: VariableDeclaration["declarations"];
}

/** Lets the visitor of this process visit them as it does `const`: they hold declarators too. */
export function visitUsing(): void {
  // oxlint-disable-next-line typescript/unbound-method -- it gets its `this` from `call` below
  const visitStatement = Visitor.prototype.visitStatement;
  Visitor.prototype.visitStatement = function (this: Visitor, statement: Statement | UsingDeclaration) {
    if (statement.type !== "UsingDeclaration") return visitStatement.call(this, statement);
    const { span, decls } = statement;
    return this.visitVariableDeclaration({
      type: "VariableDeclaration",
      span,
      kind: "const",
      declare: false,
      declarations: decls,
    });
  };
}
