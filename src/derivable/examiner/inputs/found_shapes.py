"""Which shapes go together: by the roles of the tensors, else by their number."""

from __future__ import annotations

from derivable.examiner.inputs.found_specs import Spec, shapes_of

# Shapes that go together, by the roles in their order; `;` separates alternatives.
_TOGETHER = {
    "x": "R C; R C+; R C%; R H; C; B R C; B C H W; S S; S S#; ; R D; B T D; B D H W; B S C; "
    "B Z H W; H; B S S; B S S#; 1; R 2; R 3",
    "divided": "B T D; B D H W; R D; B Z H W; B D T; B R C; B C H W; D; R C",
    "pooled": "B C H W; B C H; R H; H; B D H W; R C",
    "yhat": "M P; M; ",
    "p": "M P%; M%; R C=; M P; ",
    "matrix": "S S; S S#; R C; B S S; B S S#; S S<",
    "x w": "N I,I O; N I,O I; R C,C; R C,R C; R C,; B C H W,F C K L; B C H W,F C K K; "
    "B C T,F C K; N I,I; C,C; B C H W,C F K K; B C T,C F K; H W,K L; V O,O; H,K; "
    "B C H W,C 1 K K; B R I,I O",
    "x w b": "N I,I O,O; N I,O I,O; B C H W,F C K L,F; B C H W,F C K K,F; B C T,F C K,F; "
    "R C,C,C; R C,,; N I,I,; N I,I,1; N I,I 1,1; I,O I,O; I,I O,O; B R I,I O,O; B R I,O I,O; "
    "B C H W,C F K K,F; B C H W,C 1 K K,C; R C,R C,R C; H W,K L,; B C H W,C,C; ,,; B R I,O R I,O; "
    "N I,I O,1 O",
    "x b": "R C,C; R C,; R C,1; R C,R C; R C,R 1; B C H W,C; R C,R; N I,1 I",
    "x y": "R C,R C; R C+,R C+; R C%,R C%; R C,S C; C,C; R,C; M P,M P; N I,I O; ,",
    "yhat y": "M P,M P; M,M; M P%,M P?; M%,M?; M P,M P=; ,; R C,S C",
    "x yhat": "M P,M P; M,M",
    "x x": "R C,R C; R C+,R C+; R,C; C,C; R C,S C; R C,; B R C,B R C; R 2,; R 3,R 3; S S,S S; "
    "R C%,R C%; R C=,R C=; C,R C; ,",
    "x x w": "N I,N V,O I V; N I,N V,I V; R C,R C,R C; R C,R C,C; N I,N I,I O; R C,R C,",
    "x x w b": "N I,N V,O I V,O; N I,N V,I V,",
    "x w v w": "N I,I O,I O,O 3",
    "p y": "M P%,M P?; M%,M?; M P%,M P; ,",
    "p x": "M P%,M P; R C=,R C; R C=,R C=",
    "p p": "M P=,M P=; M P%,M P%; M%,M%",
    "x scale": "R C,C; R C,; R C,1; R C,R C; R C,R 1; ,",
    "x gain": "R C,C; R C,; R C,1; B C H W,C; R C,R C; B R C,C",
    "x shift": "R C,C; R C,; R C,1; R C,R C",
    "x gain shift": "R C,C,C; B C H W,C,C; B C T,C,C; R C,,; R C,R C,R C; B H T,H,H; B R C,C,C; "
    "B Z T,Z,Z; R C,1,1",
    "x w shift": "R C,C,C; B C H W,C,C; N I,I O,O; N I,O I,O",
    "x gain b": "R C,C,C; B C H W,C,C; R C,,",
    "x scale shift": "R C,,; R C,C,C; B C H W,C,C; R C,R C,R C",
    "x scale b": "R C,,; R C,C,C; B C H W,C,C; R C,R C,R C",
    "x gain shift mean var": "R C,C,C,C,C+; B C H W,C,C,C,C+",
    "x mean var gain shift": "R C,C,C+,C,C; B C H W,C,C+,C,C",
    "x mean var w b": "R C,C,C+,C,C; B C H W,C,C+,C,C",
    "x mean var": "R C,R C,R C+; R C,C,C+; R C,,+; ,,+",
    "x mean scale": "R C,R C,R C+; R C,C,C+; R C,,+; ,,+",
    "x mean": "R C,R C; R C,C; R C,",
    "mean var": "R C,R C+; C,C+; ,+",
    "mean logvar": "R C,R C; C,C",
    "mean scale": "R C,R C+; C,C+; ,+",
    "q key": "T E,V E; B T E,B V E; T E,T E; B 2 T E,B 2 V E; E,V E",
    "q key v": "T E,V E,V O; B T E,B V E,B V O; T E,T E,T E; B 2 T E,B 2 V E,B 2 V O; "
    "B T D,B V D,B V D; B T D,B T D,B T D; E,V E,V O; B 2 T E,B 2 T E,B 2 T E; T D,T D,T D",
    "q key v x": "T E,V E,V O,T V; B T E,B V E,B V O,T V; B T E,B V E,B V O,B T V",
    "x w y": "N I,I O,N O; N I,I,N; N I,O I,N O; R C,R C,R C",
    "x y w": "R C,R C,R C; R C,R C,C; M P,M P,M P+; N I,N O,I O; N I,N,I; N I,N 1,I 1; M P,M P,P+",
    "x w b y": "N I,I O,O,N O; N I,O I,O,N O; N I,I,,N; N I,I 1,1,N 1",
    "x y w b": "N I,N O,I O,O; N I,N,I,; N I,N 1,I 1,1; N I,N O,O I,O",
    "x w b w b": "N I,I H,H,H O,O; N I,H I,H,O H,O",
    "x w w": "N I,I H,H O; N I,H I,O H; N I,I O,I O; N I,O I,O I",
    "x w v": "N I,I O,I O; N I,O I,O I; N I,I O,O; N I,I,N",
    "x h w w b": "B I,B H,I H,H H,H; B I,B H,H I,H H,H",
    "x h w w": "B I,B H,I H,H H; B I,B H,H I,H H",
    "x h w b": "B I,B H,8 H,H",
    "x h w w b b": "B I,B H,18 I,18 H,18,18; B I,B H,6 I,6 H,6,6; B I,B H,I H,H H,H,H; "
    "B I,B H,I 18,H 18,18,18",
    "x h c w w b b": "B I,B H,B H,24 I,24 H,24,24; B I,B H,B H,I 24,H 24,24,24",
    "x h c w w b": "B I,B H,B H,24 I,24 H,24; B I,B H,B H,I 24,H 24,24",
    "x h c w b": "B I,B H,B H,11 24,24; B I,B H,B H,24 11,24",
    "x h": "B I,B H; R C,R C",
    "matrix b": "R C,C O; R C,C; S S,S; S S,S C; S S#,S; S S#,S C; B S S,B S C; S S<,S C; S S<,S; "
    "R C,R C; C,C; R,C; ,",
    "matrix x": "R C,C; S S,S; S S,S C; R C,C O; S S#,S; S S#,S C; B S S,B S C; S S<,S C",
    "x matrix": "C,C C; R C,C C; R C,C O; S,S S#; R C,C C#; C,O C; R C,O C; S C,S S; B R C,C C",
    "x matrix y": "R C,C I,R I; C,C I,I; R C,C C,R C",
    "matrix matrix": "R C,C O; R C,R C; S S,S S; S S#,S S#; B R C,B C O; S S#,S C",
    "matrix x b": "R C,C,R; R C,C O,R O; S S,S,S",
    "matrix x y": "R C,C,R; ,,",
    "matrix w x": "R C,C O,O",
}  # fmt: skip
TOGETHER = {tuple(roles.split()): shapes_of(text) for roles, text in _TOGETHER.items()}

# Shapes that go together, whatever the names are, by the number of tensors.
ALL_ALIKE = ("R C", "R C+", "M P%", "C", "B R C", "B C H W", "R C=", "")
ALL_SQUARE = ("S S", "S S#")  # at which no shape distinguishes a matrix from its transpose
SINGLE = ("R C", "C", "", "R", "R C+", "C C", "B R C", "R 1", "1 C", "C O", "C+", "+", "S S#",
          "B C H W", "R 2", "R 3")  # fmt: skip
ANY = {
    1: _TOGETHER["x"] + "; R C%; R C+; R C=; R C~; S S~; R 4; R 8; B 4 H W; 9; Z; R Z; C C C; M 6",
    2: "N I,I O; N I,O I; R C,C; R C,; C,R C; ,R C; S S,S; S S,S C; S S#,S; S S#,S C; C,S S; "
    "R C,R; R C,S C; R,C; B R C,B C O; B C H W,F C K L; B C H W,F C K K; B C T,F C K; R C,R C+; "
    "R C+,R C; R C%,R C?; R C%,R C; R C=,R C=; B R C,C; B R C,R C; R C,1; R C,R 1; B C H W,C; "
    "R C,R C=; R C#; C C,R C; C C#,R C; S S#,S S#; H,K; H W,K L; B R C,S C; N I,V O; R C~,R C~; "
    "R,R C; 3,3; R 3,R 3; C 2,S 2; V,V O",
    3: "N I,I O,O; N I,O I,O; N D,K D,; R C,C,C; R C,,; ,,; C,C,C; B C H W,F C K L,F; "
    "B C H W,F C K K,F; B C T,F C K,F; T E,V E,V O; B T E,B V E,B V O; N I,O I V,N V; I,O I V,V; "
    "N I,I O,N O; R C,R C,R C+; R C,R C,; R C,R,R C; C,C I,I; S S,S,S; R C,C I,I O; N I,I H,H O; "
    "R C,R C,C; N I,I,N; M P,M P,M P%; N I,I,; R C,R C,R; S S,S C,C; S S#,S S#,S S#; R C,R,C",
    4: "N I,I H,H O,O; N I,H I,O H,O; N I,I O,I R,R O; N I,O I,R I,O R; N D,K D,K,K O; "
    "N D,K D,K,K; N I,I O,O,N O; R C,C,C+,C; N I,I H,H,H O; R C,C,C,C; ,,,; R C,C,,; R C,R C,C,C; "
    "S S,S C,O S,O C; B I,B H,I H,H H; B C H W,C,C,C+; T E,E O,E O,E V; T D,D D,D D,D D",
    5: "N I,I H,H O,O K,K; N I,I O,I R,R O,O; N I,O I,R I,O R,O; N D,K D,K,K O,O; "
    "N I,I H,H,H O,O; N I,H I,H,O H,O; R C,C,C,C,C+; R C,C,C+,C,C; B I,B H,I H,H H,H; "
    "B I,B H,H I,H H,H; T D,D D,D D,D D,D D; B C H W,C,C+,C,C",
    6: "B I,B H,I H,H H,H,H; B I,B H,H I,H H,H,H; N I,I H,H,H O,O,N O",
}  # fmt: skip


def roles_together(names: list[str], roles: list[str], multiplied: list[bool]) -> list[str]:
    """The roles of tensors that stand beside each other, where one name has several meanings.

    `multiplied`: whether each is a factor of a matrix product, as far as the source shows.
    """
    low = [name.lower().strip("_") for name in names]
    found = list(roles)
    for i, name in enumerate(low):
        small = names[i] == name
        if name in ("k", "key", "keys") and {"q", "query", "queries"} & {*low}:
            found[i] = "key"
        elif name in ("p", "q") and {"p", "q"} <= {*low} and "k" not in low:
            found[i] = "p"
        elif not multiplied[i] and _any_tensor(name, small, low[max(0, i - 1)]):
            found[i] = "x"
        elif name == "t":
            found[i] = "y" if i else "x"
        elif name in ("c", "k", "s") and multiplied[i]:
            found[i] = "matrix"
    if len(found) == 2 and all(multiplied) and found[0] in ("", "x") and found[1] in ("", "x", "y"):
        return ["matrix", "b"]
    return found


def _any_tensor(name: str, small: bool, before: str) -> bool:
    """Whether a name is no matrix and no bias here: `a`, `m`, and the `b` of `a, b`."""
    return (name in ("a", "m") and small) or (name == "b" and before == "a")


def joint_shapes(roles: tuple[str, ...]) -> list[tuple[float, list[Spec]]]:
    """Shapes for tensors of these roles, by their cost: those by convention cost less than 3."""
    count = len(roles)
    readings = (roles, tuple(r or "x" for r in roles), tuple(_plain(r) for r in roles))
    named = next((TOGETHER[known] for known in readings if known in TOGETHER), [])
    if not named and count > 1 and len({_plain(r) for r in roles}) == 1:
        named = _alike((*ALL_ALIKE[:-1], *ALL_SQUARE, *ALL_ALIKE[-1:]), count)
    found = [(min(0.3 * i, 1.5 + 0.05 * i), joint) for i, joint in enumerate(named)]
    anyhow = shapes_of(ANY[count]) if count in ANY else []
    if count > 1:
        anyhow = [*_alike(ALL_ALIKE, count), *anyhow, *_alike(ALL_SQUARE, count)]
    joints = [joint for joint in anyhow if len(joint) == count]
    return found + [(3 + 0.1 * i, joint) for i, joint in enumerate(joints)]


def _alike(shapes: tuple[str, ...], count: int) -> list[list[Spec]]:
    """Each shape for all of `count` tensors."""
    return shapes_of("; ".join(",".join([shape] * count) for shape in shapes))


def _plain(role: str) -> str:
    """The role whose shapes a role has, where nothing is known of it beside others."""
    return role if role in ("w", "b", "y", "gain", "shift", "scale", "var") else "x"
