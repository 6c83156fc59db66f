"""The words by which fields are known: what can be seen, what stands beside it, what is private."""


def _each(text: str) -> frozenset[str]:
    return frozenset(text.split())


# What tells most comes first; fields are told in this order.
SEEN = (
    _each("appearance look visual portrait"),
    _each("age gender sex species race ethnicity"),
    _each("build body physique figure height stature size weight shape silhouette posture pose anatomy"),
    _each(
        """
        face facial head hair hairstyle haircut beard mustache moustache eyebrow eyelash eye ear nose mouth
        lip jaw cheek cheekbone chin forehead neck freckle complexion skin fur feather scale horn tail wing
        hoof paw claw fang beak antler mane leg arm hand finger foot feet shoulder back chest nail makeup
        expression smile marking mark scar tattoo birthmark piercing pattern texture
        """
    ),
    _each(
        """
        clothing clothes attire outfit dress wardrobe costume garment uniform armor coat jacket cloak cape
        robe shirt blouse tunic vest waistcoat skirt trouser pant breeches belt boot shoe sandal glove hat
        hood cap helmet crown mask scarf veil jewelry necklace ring earring bracelet amulet accessory
        accessories glasses spectacles weapon sword bow staff shield bag satchel tool equipment gear prop
        """
    ),
    _each(
        """
        architecture building facade roof wall window door floor interior exterior furniture furnishing
        decor decoration layout landscape terrain vegetation plant flora tree water horizon skyline landmark
        scenery scene
        """
    ),
    _each("material fabric metal stone wood leather finish surface"),
    _each("lighting light illumination shadow glow weather climate season sky cloud"),
    _each("color palette hue tint saturation contrast tone"),
    _each("mood atmosphere ambience ambiance"),
    _each(
        """
        style medium technique brushwork composition framing perspective viewpoint angle lens line linework
        shading rendering
        """
    ),
)
RANK = {word: rank for rank, words in enumerate(SEEN) for word in words}
# Say nothing by themselves; they stand beside a word that does.
BESIDE = _each(
    """
    left right upper lower front inner outer main primary secondary accent general overall typical usual
    current natural distinguishing distinctive notable special physical visible detail description feature
    type kind length width quality condition of the and in at time day night morning evening summer winter
    spring autumn apparent art artistic base dominant
    """
)
# Say too little without the group they are in.
VAGUE = BESIDE | _each("color palette material texture pattern shape size style finish surface")
# Names of groups that may hold anything: their fields decide.
GROUPS = _each("basic identity character attribute trait property properties field data info")
PRIVATE = _each(
    """
    secret private hidden fear phobia motive motivation goal desire backstory history biography past note
    password passphrase token credential email phone address relationship spoiler plot conflict trauma
    weakness flaw personality psychology thought belief internal confidential meta author draft twist ending
    death fate lie betrayal crime guilt shame medical diagnosis
    """
)
SPELLINGS = {
    "colour": "color",
    "coloring": "color",
    "colouring": "color",
    "armour": "armor",
    "jewellery": "jewelry",
    "hairdo": "hairstyle",
}
# As tags, these words of a label say nothing that the value does not, ...
MUTE = _each("color colour style type age height size weight shape")
# ... and these labels as a whole.
SILENT = _each(
    """
    appearance look looks visual body posture pose clothing clothes attire outfit accessories features marks
    markings gender species race architecture landscape terrain scenery lighting weather season sky palette
    mood atmosphere style medium technique composition framing perspective viewpoint materials colors
    colours equipment
    """
)
