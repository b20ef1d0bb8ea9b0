extension SolverCatalog {
  /// Samplers of models that were distilled to answer in few steps: they follow no differential equation.
  static let distilled: [SolverEntry] = []
}
