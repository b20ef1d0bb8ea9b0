/// Character references of HTML, decoded as Python's `html.unescape` does, but for its names: the 252 of HTML 4 and six
/// in capitals are known here, of the 2,231 of HTML 5.
enum HTMLEntities {
  /// Names of U+00A0 to U+00FF in order. These and the plain ones are known without a semicolon, too.
  private static let latin = """
    nbsp iexcl cent pound curren yen brvbar sect uml copy ordf laquo not shy reg macr deg plusmn
    sup2 sup3 acute micro para middot cedil sup1 ordm raquo frac14 frac12 frac34 iquest Agrave
    Aacute Acirc Atilde Auml Aring AElig Ccedil Egrave Eacute Ecirc Euml Igrave Iacute Icirc
    Iuml ETH Ntilde Ograve Oacute Ocirc Otilde Ouml times Oslash Ugrave Uacute Ucirc Uuml Yacute
    THORN szlig agrave aacute acirc atilde auml aring aelig ccedil egrave eacute ecirc euml
    igrave iacute icirc iuml eth ntilde ograve oacute ocirc otilde ouml divide oslash ugrave
    uacute ucirc uuml yacute thorn yuml
    """

  /// The other names, each with its code point.
  private static let others = """
    OElig:152 oelig:153 Scaron:160 scaron:161 Yuml:178 fnof:192 circ:2C6 tilde:2DC Alpha:391
    Beta:392 Gamma:393 Delta:394 Epsilon:395 Zeta:396 Eta:397 Theta:398 Iota:399 Kappa:39A
    Lambda:39B Mu:39C Nu:39D Xi:39E Omicron:39F Pi:3A0 Rho:3A1 Sigma:3A3 Tau:3A4 Upsilon:3A5
    Phi:3A6 Chi:3A7 Psi:3A8 Omega:3A9 alpha:3B1 beta:3B2 gamma:3B3 delta:3B4 epsilon:3B5
    zeta:3B6 eta:3B7 theta:3B8 iota:3B9 kappa:3BA lambda:3BB mu:3BC nu:3BD xi:3BE omicron:3BF
    pi:3C0 rho:3C1 sigmaf:3C2 sigma:3C3 tau:3C4 upsilon:3C5 phi:3C6 chi:3C7 psi:3C8 omega:3C9
    thetasym:3D1 upsih:3D2 piv:3D6 ensp:2002 emsp:2003 thinsp:2009 zwnj:200C zwj:200D lrm:200E
    rlm:200F ndash:2013 mdash:2014 lsquo:2018 rsquo:2019 sbquo:201A ldquo:201C rdquo:201D
    bdquo:201E dagger:2020 Dagger:2021 bull:2022 hellip:2026 permil:2030 prime:2032 Prime:2033
    lsaquo:2039 rsaquo:203A oline:203E frasl:2044 euro:20AC image:2111 weierp:2118 real:211C
    trade:2122 alefsym:2135 larr:2190 uarr:2191 rarr:2192 darr:2193 harr:2194 crarr:21B5
    lArr:21D0 uArr:21D1 rArr:21D2 dArr:21D3 hArr:21D4 forall:2200 part:2202 exist:2203
    empty:2205 nabla:2207 isin:2208 notin:2209 ni:220B prod:220F sum:2211 minus:2212 lowast:2217
    radic:221A prop:221D infin:221E ang:2220 and:2227 or:2228 cap:2229 cup:222A int:222B
    there4:2234 sim:223C cong:2245 asymp:2248 ne:2260 equiv:2261 le:2264 ge:2265 sub:2282
    sup:2283 nsub:2284 sube:2286 supe:2287 oplus:2295 otimes:2297 perp:22A5 sdot:22C5 lceil:2308
    rceil:2309 lfloor:230A rfloor:230B loz:25CA spades:2660 clubs:2663 hearts:2665 diams:2666
    lang:27E8 rang:27E9
    """

  private static let plain: [String: UInt32] = {
    var result: [String: UInt32] = [
      "amp": 0x26, "lt": 0x3C, "gt": 0x3E, "quot": 0x22, "AMP": 0x26, "LT": 0x3C, "GT": 0x3E,
      "QUOT": 0x22, "COPY": 0xA9, "REG": 0xAE,
    ]
    for (index, name) in latin.split(whereSeparator: \.isWhitespace).enumerated() {
      result[String(name)] = UInt32(0xA0 + index)
    }
    return result
  }()

  private static let named: [String: UInt32] = {
    var result = plain
    for entry in others.split(whereSeparator: \.isWhitespace) {
      let parts = entry.split(separator: ":")
      result[String(parts[0])] = UInt32(parts[1], radix: 16)
    }
    return result
  }()

  /// The text with its references decoded, once.
  ///
  /// - Parameter needsSemicolon: leaves alone what ends without one.
  static func unescaped(_ text: [UInt32], needsSemicolon: Bool = false) -> [UInt32] {
    guard text.contains(0x26) else { return text }
    var result: [UInt32] = []
    var offset = 0
    while offset < text.count {
      if text[offset] == 0x26, let found = reference(text[(offset + 1)...], needsSemicolon) {
        result += found.value
        offset += 1 + found.length
      } else {
        result.append(text[offset])
        offset += 1
      }
    }
    return result
  }

  private typealias Reference = (value: [UInt32], length: Int)

  /// What stands behind an ampersand, with its length in the text.
  private static func reference(_ text: ArraySlice<UInt32>, _ needsSemicolon: Bool) -> Reference? {
    if text.first == 0x23 { return number(text.dropFirst(), needsSemicolon) }
    let letters = text.prefix(32).prefix { isASCIIWord($0) }
    let name = String(scalarValues: letters)
    if text.dropFirst(letters.count).first == 0x3B, let scalar = named[name] {
      return ([scalar], letters.count + 1)
    }
    if needsSemicolon { return nil }
    for length in stride(from: name.utf8.count, to: 1, by: -1) {
      if let scalar = plain[String(name.prefix(length))] { return ([scalar], length) }
    }
    return nil
  }

  /// A number behind `&#`, decimal or hexadecimal.
  private static func number(_ text: ArraySlice<UInt32>, _ needsSemicolon: Bool) -> Reference? {
    let isHexadecimal = text.first == 0x78 || text.first == 0x58
    let body = isHexadecimal ? text.dropFirst() : text
    let digits = body.prefix {
      (0x30...0x39).contains($0)
        || isHexadecimal && ((0x41...0x46).contains($0) || (0x61...0x66).contains($0))
    }
    guard !digits.isEmpty else { return nil }
    let hasSemicolon = body.dropFirst(digits.count).first == 0x3B
    if needsSemicolon && !hasSemicolon { return nil }
    let length = 1 + (isHexadecimal ? 1 : 0) + digits.count + (hasSemicolon ? 1 : 0)
    let value = UInt32(String(scalarValues: digits), radix: isHexadecimal ? 16 : 10) ?? .max
    return (character(value), length)
  }

  /// What a number stands for: Windows-1252 for the C1 controls, nothing for what HTML forbids.
  private static func character(_ value: UInt32) -> [UInt32] {
    switch value {
    case 0: [0xFFFD]
    case 0x80...0x9F: [Windows1252.scalar(value)]
    case 0x01...0x08, 0x0B, 0x0E...0x1F, 0x7F, 0xFDD0...0xFDEF: []
    case _ where value <= 0x10FFFF && value & 0xFFFE == 0xFFFE: []
    default: [Unicode.Scalar(value)?.value ?? 0xFFFD]
    }
  }

  private static func isASCIIWord(_ scalar: UInt32) -> Bool {
    switch scalar {
    case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
    default: false
    }
  }
}

/// The code page that the C1 controls usually come from.
enum Windows1252 {
  private static let upper =
    "€\u{81}‚ƒ„…†‡ˆ‰Š‹Œ\u{8D}Ž\u{8F}\u{90}‘’“”•–—˜™š›œ\u{9D}žŸ".scalarValues

  /// What a control, U+0080 to U+009F, was meant to be.
  static func scalar(_ control: UInt32) -> UInt32 { upper[Int(control - 0x80)] }
}
