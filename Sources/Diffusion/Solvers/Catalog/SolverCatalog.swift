/// Every solver by name. A solver that is not here cannot be asked for, and the tests measure each one that is.
public enum SolverCatalog {
  /// All of them, the deterministic first.
  public static let all: [SolverEntry] = deterministic + stochastic + distilled

  /// The entry of a name or an alias, whatever its case, blanks, hyphens and underscores; `nil` where there is none.
  public static func entry(named name: String) -> SolverEntry? {
    let wanted = key(name)
    return all.first { key($0.name) == wanted }
      ?? all.first { $0.aliases.contains { key($0) == wanted } }
  }

  private static func key(_ name: String) -> String {
    name.lowercased().filter { !" -_".contains($0) }
  }
}
