/// Every schedule by name.
public enum ScheduleCatalog {
  /// All of them.
  public static let all: [ScheduleEntry] = timesteps + sigmas

  /// The entry of a name or an alias, whatever its case, blanks, hyphens and underscores; `nil` where there is none.
  public static func entry(named name: String) -> ScheduleEntry? {
    let wanted = key(name)
    return all.first { key($0.name) == wanted }
      ?? all.first { $0.aliases.contains { key($0) == wanted } }
  }

  /// The levels of a run by the schedule's name, or by falling levels that are listed: `14.6,2.5,0.4`.
  ///
  /// A list's numbers count as ``Process/sigma(of:)`` does; the number of steps is theirs.
  public static func levels(
    _ name: String, steps: Int, of process: any Process,
    options: ScheduleOptions = ScheduleOptions()
  ) throws(ScheduleError) -> [NoiseLevel] {
    if let entry = entry(named: name) {
      return try entry.levels(steps, of: process, options: options)
    }
    let listed = name.split(separator: ",").map { Double($0.filter { $0 != " " }) }
    let sigmas = listed.compactMap { $0 }
    guard sigmas.count == listed.count, !sigmas.isEmpty else { throw .unknown(name) }
    return try levels(sigmas: sigmas, of: process, options: options)
  }

  /// The levels of listed ones, as ``Process/sigma(of:)`` counts them, and the end; a 0 that is listed last is the end.
  public static func levels(
    sigmas: [Double], of process: any Process, options: ScheduleOptions = ScheduleOptions()
  ) throws(ScheduleError) -> [NoiseLevel] {
    let positive = sigmas.last == 0 ? Array(sigmas.dropLast()) : sigmas
    for (first, next) in zip(positive, positive.dropFirst()) where first <= next {
      throw .range(from: first, to: next)
    }
    guard let last = positive.last, last > 0 else {
      throw .range(from: sigmas.first ?? 0, to: sigmas.last ?? 0)
    }
    try process.check(sigma: positive[0])
    return process.ended(
      positive.map { process.level(ofSigma: $0) }, clean: options.endsClean)
  }

  private static func key(_ name: String) -> String {
    name.lowercased().filter { !" -_".contains($0) }
  }
}
